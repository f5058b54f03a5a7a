"""Proves that backups can be restored: reads them block by block, or makes volumes of them."""
