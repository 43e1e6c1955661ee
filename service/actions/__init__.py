"""What is done about places: findings first, actions later."""
