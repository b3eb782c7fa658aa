"""Line and trunks: a span's channels, history and tests, groups of channels, where a call would go."""
