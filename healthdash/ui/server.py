"""`python -m healthdash.ui.server run app.py`: Streamlit's own command, with app.py's navigation at once.

Until a first visitor has run app.py, Streamlit takes a folder `pages` beside it for its older navigation by
files: whoever came first by a link to a page would see that page without its frame, and "Page not found".
"""

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli

__all__ = ["main"]


def main() -> None:
    """Run Streamlit's command line."""
    PagesManager.uses_pages_directory = False
    cli.main(prog_name="streamlit")


if __name__ == "__main__":
    main()
