"""What the window's commands do: `Session` and its parts."""
