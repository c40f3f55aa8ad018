"""The version of this package, as installed."""

VERSION = "0.1.0"
