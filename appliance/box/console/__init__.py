"""The installer's menu on the serial port and the screen: no shell behind it, nothing to escape to."""
