"""What a video file holds: by its boxes alone, and, with the extra `media`, by decoding it in a process of its own."""
