/* The first program on the emulated Pi: loads the card's file system, and starts systemd from the card.
 *
 *   arm-linux-gnueabi-gcc -Os -static -marm -march=armv6 -mfloat-abi=soft -o init init.c
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const modules[] = {"crc16", "crc32c_generic", "mbcache", "jbd2", "ext4"}; /* each needs those before */

static void load(const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/lib/%s.ko", name);
  int file = open(path, O_RDONLY);
  if (file < 0 || syscall(SYS_finit_module, file, "", 0)) perror(path);
  if (file >= 0) close(file);
}

static void must(const char *what, int failed) {
  if (!failed) return;
  perror(what);
  for (;;) pause(); /* the first program may not end */
}

int main(void) {
  must("/dev", mount("dev", "/dev", "devtmpfs", 0, NULL));
  for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) load(modules[i]);
  for (int tries = 0; access("/dev/mmcblk0", F_OK) && tries < 200; tries++) usleep(50000);
  must("the card", mount("/dev/mmcblk0", "/root", "ext4", MS_NOATIME, NULL));
  must("moving /dev", mount("/dev", "/root/dev", NULL, MS_MOVE, NULL));
  must("changing to the card", chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"));
  execl("/sbin/init", "/sbin/init", (char *)NULL);
  must("/sbin/init", 1);
}
