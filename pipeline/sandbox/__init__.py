"""The embedded gateway: a real HTTP server that speaks the videos API and renders real films."""
