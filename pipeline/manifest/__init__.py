"""A file becomes jobs: read, check, expand, name. Text in, values out."""
