"""Google Drive: Docs, Sheets, Slides and files of My Drive, of "Shared with me" and of shared drives."""
