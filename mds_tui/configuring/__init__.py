"""The configuration in the console: a form, the text, what a change would do, and earlier versions."""
