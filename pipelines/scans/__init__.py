"""Words of pages that are pictures, through an API that reads them."""
