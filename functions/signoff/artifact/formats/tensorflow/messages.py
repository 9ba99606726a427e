"""The messages of a SavedModel, as far as they are read: by message, its fields' numbers and what they hold.

From the files `saved_model`, `meta_graph`, `saver` and `saved_object_graph` in `protobuf`, and `graph`, `function`,
`node_def`, `attr_value` and `op_def` in `framework` of https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core.
The nodes of a graph and of a function are the same message and have two names here.
"""

from signoff.documents.patterns import compiled_on_use

MESSAGES = {
    "SavedModel": {2: "MetaGraph"},
    "MetaGraph": {
        2: "Graph",
        3: "Saver",
        4: "CollectionEntry",
        5: "SignatureEntry",
        6: "Asset",
        7: "Objects",
    },
    "Graph": {1: "GraphNode", 2: "Library"},
    "Library": {1: "Function"},
    "Function": {1: "Declaration", 3: "FunctionNode"},
    # Attributes hold names of functions, in lists and in attributes of their own too.
    "GraphNode": {5: "AttributeEntry"},
    "FunctionNode": {5: "AttributeEntry"},
    "AttributeEntry": {2: "Attribute"},
    "Attribute": {1: "AttributeList", 10: "Call"},
    "AttributeList": {9: "Call"},
    "Call": {2: "AttributeEntry"},
    # TensorFlow 1 keeps its assets in a collection of messages of any type; nothing else is kept so.
    "CollectionEntry": {2: "Collection"},
    "Collection": {1: "NodeList", 5: "AnyList"},
    "AnyList": {1: "Any"},
    "Any": {2: "Asset"},
    "SignatureEntry": {2: "Signature"},
    "Signature": {1: "TensorEntry", 2: "TensorEntry"},
    "TensorEntry": {2: "Tensor"},
    "Tensor": {4: "SparseTensor", 5: "CompositeTensor"},
    "CompositeTensor": {2: "Tensor"},
    "Objects": {1: "Object", 2: "ConcreteFunction"},
    "Object": {4: "UserObject"},
}
TEXTS = {
    "GraphNode": {1: "name", 2: "operator"},
    "FunctionNode": {2: "operator"},
    "Declaration": {1: "function"},
    "Call": {1: "function"},
    "ConcreteFunction": {1: "function"},
    "Asset": {2: "filename"},
    "UserObject": {3: "metadata"},
}
# Each of these by itself, for a field may be repeated: the nodes that a node depends on, and those that are run.
EACH = {
    "GraphNode": {3: "input"},
    "Saver": {3: "run"},
    "Tensor": {1: "run"},
    "SparseTensor": {1: "run", 2: "run", 3: "run"},
    "NodeList": {1: "run"},
}
# A message in which none of these bytes stands is passed over: no other begins the tag of a call, or of one in a list.
MARKS = {"AttributeEntry": compiled_on_use(rb"[\x52\xd2\x4a\xca]")}

# `saved_metadata.proto` of Keras 2: it describes layers in JSON, as TensorFlow 2.0 to 2.4 does within saved_model.pb.
METADATA_MESSAGES = {"SavedMetadata": {1: "SavedObject"}}
METADATA_TEXTS = {"SavedObject": {5: "metadata"}}
