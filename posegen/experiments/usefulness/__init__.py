"""What PoseGen's images are good for, against what one would train on instead."""
