"""The face: the only package besides app.py and pages/ that imports Streamlit."""
