"""A page for people over a deployed model: `mlrunner playground`. Only the modules `page*` know Streamlit."""
