"""Every lesson is run as JupyterLab runs it: in its own folder, cell by cell, in a process of its own."""

from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "trainer" / "lessons").glob("*.py"))


@pytest.fixture
def notebook_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what Jupyter writes beside a notebook, and all temporary files, in a folder that goes away."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "TMPDIR"):
        folder = tmp_path / name.lower()
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    return tmp_path


def list_files() -> list[Path]:
    return sorted(path for path in ROOT.glob("trainer/lessons/**/*"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_and_all_that_it_says_holds(path: Path, notebook_home: Path, request, monkeypatch):
    if "load_mnist" in path.read_text():
        request.getfixturevalue("mnist")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    before = list_files()
    notebook = jupytext.read(path)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/png" in output.get("data", {}) for output in outputs), "no picture"
    for output in outputs:
        # A figure that is only named was not shown; a warning is something that a reader would stumble over.
        assert "image/png" in output.get("data", {"image/png": ""}), output
        assert output.get("name") != "stderr", output.get("text")
    assert list_files() == before
    assert not list((notebook_home / "tmpdir").iterdir())


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_saved_unchanged_stays_as_it_is(path: Path):
    """Whoever saves a lesson in JupyterLab changes in the file what he changed in the lesson, and no more."""
    notebook = jupytext.read(path)
    notebook.metadata["jupytext"] |= {
        "notebook_metadata_filter": "kernelspec,-all",
        "cell_metadata_filter": "-all",
    }
    assert jupytext.writes(notebook, "py:percent") == path.read_text()


def test_lessons_are_numbered_and_each_leads_to_the_next():
    for number, (path, following) in enumerate(zip(LESSONS, [*LESSONS[1:], None], strict=True), 1):
        text = path.read_text()
        assert path.name.startswith(f"{number:02}_")
        assert f"\n\n# %% [markdown]\n# # {number}. " in text
        assert following is None or f"({following.name})" in text
