"""`mlrunner playground`: a page with a form that asks a deployed model. Only `page` imports Streamlit."""
