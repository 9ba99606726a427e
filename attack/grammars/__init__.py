"""The grammars of disguises: what is called, how it is written, what it is wrapped in, and where it lies."""

from attack.grammars.hdf5_references import HDF5_REFERENCES
from attack.grammars.honest import HONEST
from attack.grammars.keras import KERAS, KERAS_HDF5
from attack.grammars.onnx import ONNX
from attack.grammars.pickles import PICKLES
from attack.grammars.saved_models import SAVED_MODELS
from attack.grammars.skops import SKOPS
from attack.grammars.zips import ZIPS

GRAMMARS = (PICKLES, ZIPS, KERAS, KERAS_HDF5, HDF5_REFERENCES, SKOPS, ONNX, SAVED_MODELS, HONEST)
