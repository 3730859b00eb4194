"""``make demo``: a simulated door, the real two processes, real networks and real faces. Who gets in?"""
