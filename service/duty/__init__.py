"""Retention, restore, exports and the ledger of shares: what the law asks of the deployment."""
