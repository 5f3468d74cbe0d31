"""From files to detections: inputs and what is known of them, the inferencer, what it writes."""
