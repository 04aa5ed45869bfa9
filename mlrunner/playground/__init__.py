"""A page for people over a deployed model: `mlrunner playground`. Only `page` knows Streamlit."""
