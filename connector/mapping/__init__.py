"""What admins edit, as typed models; org records to rows of the model, and back."""
