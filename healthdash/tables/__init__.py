"""Tables of any file format: read them, report what is odd about them, mend them by recorded steps."""
