"""The pages and the API: what people press, what staff work with, what programs call."""
