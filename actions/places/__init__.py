"""Places as CBS and BAG publish them, from files that a deployer downloads: boundaries, postcodes, addresses."""
