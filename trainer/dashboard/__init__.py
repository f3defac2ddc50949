"""The dashboard: a page in the browser that shows devices, the network and the library, live."""
