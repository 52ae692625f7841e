"""From raw text and pictures to vectors: the paper's bi-GRU, any text encoder, any image backbone (extra `features`)."""

from isthmus.features._backbones import TorchBackbone, open_backbone
from isthmus.features._bigru import BiGRU
from isthmus.features._centroids import Centroids, word_sums
from isthmus.features._encoders import Encoder, encode_texts, import_encoder
from isthmus.features._gallery import Gallery, Picture, PictureError, open_gallery
from isthmus.features._images import Backbone, ImageFeatures, image_features
from isthmus.features._look import Look, decode
from isthmus.features._output import OUTPUTS
from isthmus.features._texts import Texts, read_texts, tokens, vocabulary

__all__ = [
    "OUTPUTS",
    "Backbone",
    "BiGRU",
    "Centroids",
    "Encoder",
    "Gallery",
    "ImageFeatures",
    "Look",
    "Picture",
    "PictureError",
    "Texts",
    "TorchBackbone",
    "decode",
    "encode_texts",
    "image_features",
    "import_encoder",
    "open_backbone",
    "open_gallery",
    "read_texts",
    "tokens",
    "vocabulary",
    "word_sums",
]
