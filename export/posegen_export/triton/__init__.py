"""`posegen-export triton`: a bundle → a model repository of Triton Inference Server.

    serving     which models a bundle becomes, and how they are asked to run
    config      the configuration of one model
    pbtxt       a configuration as text
    engines     where a model's files come from: the bundle, or TensorRT engines built here
    layout      what lies in a repository already, and may a bundle be added to it
    repository  everything written, whole or not at all
    command     the command

It needs neither torch nor onnx, as it copies graphs that the export proved.
"""
