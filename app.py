"""healthdash in the browser: navigation, and what stands on every page."""

import streamlit as st

from healthdash.ui import shell

# Before the navigation: a page's own icon would be fetched from outside as the icon of the tab.
st.set_page_config(page_title="healthdash", page_icon=shell.ICON, layout="wide")
page = st.navigation(
    {
        "": [st.Page("pages/home.py", title="Home", icon=":material/home:", default=True)],
        "Analyse": [
            st.Page("pages/images.py", title="Images", icon=":material/radiology:"),
            st.Page("pages/ecg.py", title="ECG", icon=":material/ecg_heart:"),
            st.Page("pages/eeg.py", title="EEG", icon=":material/neurology:"),
            st.Page("pages/records.py", title="Patient records", icon=":material/table_chart:"),
            st.Page("pages/explain.py", title="Explain", icon=":material/zoom_in:"),
        ],
        "Models": [
            st.Page("pages/models.py", title="Models", icon=":material/monitoring:"),
            st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
        ],
    }
)
st.set_page_config(page_title=f"{page.title} · healthdash")
with shell.frame():
    page.run()
