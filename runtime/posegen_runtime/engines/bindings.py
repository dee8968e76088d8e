"""TensorRT's classes by name, for annotations.

The module is found at run time (`flavors`) and its bindings carry no types, so these are `Any` to a
type checker. To `tests/tensorrt_names.py` they say which class a variable is: it looks every
attribute that our code uses up in the real bindings of each version. There, and by custom, the
module itself is called `trt`.
"""

from typing import Any, TypeAlias

Builder: TypeAlias = Any
EngineInspector: TypeAlias = Any
IBuilderConfig: TypeAlias = Any
ICudaEngine: TypeAlias = Any
IExecutionContext: TypeAlias = Any
IHostMemory: TypeAlias = Any
ILayer: TypeAlias = Any
ILogger: TypeAlias = Any
INetworkDefinition: TypeAlias = Any
IOptimizationProfile: TypeAlias = Any
IProgressMonitor: TypeAlias = Any
IRuntimeConfig: TypeAlias = Any
ITensor: TypeAlias = Any
ITimingCache: TypeAlias = Any
OnnxParser: TypeAlias = Any
ParserError: TypeAlias = Any
Runtime: TypeAlias = Any
