"""The gallery: what a run made, as one page that opens from disk. Texts in, texts out; `pipeline.report` writes it."""
