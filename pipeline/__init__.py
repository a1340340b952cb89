"""vidbatch: videos in bulk from a manifest. Nothing is paid for twice, nothing paid for is lost."""

from pipeline.version import __version__

__all__ = ["__version__"]
