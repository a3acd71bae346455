"""The demo's third part: citizens sign in while the door fails and strangers try, and who got in is judged."""
