"""The Stain page: a stain learned from transmitted light, applied, and looked at beside the true one."""
