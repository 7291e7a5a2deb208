"""The Streamlit page, which speaks to the service over HTTP."""
