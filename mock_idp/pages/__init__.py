"""What a person sees and does at a mock bank."""
