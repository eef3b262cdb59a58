"""What Word, PowerPoint and Excel files share: a zip of XML parts that refer to each other (ECMA-376, part 2)."""
