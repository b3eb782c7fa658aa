"""What runs inside the guest: tests on spans 1 and 2, which are one line."""
