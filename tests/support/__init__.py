"""What tests share: made-up records, the line wired to moto, crashes on demand."""
