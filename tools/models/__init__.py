"""Fetches, converts, quantises and checks the networks: ``python -m tools.models --help``.

Desktop only: TensorFlow, ai-edge-quantizer and joblib (extra ``tools``) are imported lazily, so that everything which
is plain arithmetic or plain files (``equalise``, ``layers``, ``fetch``, ``manifest_writer``) is usable and tested
without them.
"""
