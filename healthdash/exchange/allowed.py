"""What the configuration of a network may name: Keras' own parts that compute on tensors, and nothing else.

Left out are parts that hold code (Lambda, wrappers of other frameworks), read files (text and lookup
layers), take functions (map, scan, loops) or are there to change training data.
"""

from __future__ import annotations

__all__ = ["ACTIVATIONS", "PARTS", "VALUES", "is_allowed"]

_LAYERS = """
    InputLayer Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average
    AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional CategoryEncoding
    CenterCrop Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D
    ConvLSTM2D Cropping1D Cropping2D Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Discretization Dot
    Dropout ELU EinsumDense Embedding Flatten GRU GRUCell GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D
    GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention Identity LSTM LSTMCell
    LayerNormalization LeakyReLU Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum
    MultiHeadAttention Multiply Normalization PReLU Permute RMSNormalization RNN ReLU RepeatVector
    Rescaling Reshape Resizing SeparableConv1D SeparableConv2D SimpleRNN SimpleRNNCell Softmax
    SpatialDropout1D SpatialDropout2D SpatialDropout3D StackedRNNCells Subtract TimeDistributed
    UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""
_INITIALIZERS = """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones
    Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros
"""
_NUMPY = """
    Absolute Add All Amax Amin Any Append Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh Argmax
    Argmin Argsort Average BroadcastTo Ceil Clip Concatenate Copy Cos Cosh CountNonzero Cumprod Cumsum
    Diff Digitize Divide DivideNoNan Dot Einsum Equal Exp Exp2 ExpandDims Expm1 Flip Floor FloorDivide
    FullLike GetItem Greater GreaterEqual Hstack Hypot Isclose Isfinite Isinf Isnan Less LessEqual Log
    Log10 Log1p Log2 Logaddexp LogicalAnd LogicalNot LogicalOr LogicalXor Matmul Max Maximum Mean Median
    Min Minimum Mod Moveaxis Multiply NanToNum Nanmax Nanmean Nanmin Nanstd Nansum Nanvar Negative
    NotEqual OnesLike Outer Pad Power Prod Quantile Ravel Reciprocal Repeat Reshape Roll Round
    Sign Sin Sinh Sort Split Sqrt Square Squeeze Stack Std Subtract Sum Swapaxes Take TakeAlongAxis Tan
    Tanh Tensordot Tile Transpose Tril Triu TrueDivide Trunc Var Vdot Vstack Where ZerosLike
"""
_NN = """
    AveragePool BatchNorm Celu Conv ConvTranspose DepthToSpace DepthwiseConv DotProductAttention Elu Gelu
    Glu HardShrink HardSigmoid HardSilu HardTanh LayerNorm LeakyRelu LogSigmoid LogSoftmax MaxPool
    Moments Normalize OneHot Relu Relu6 RMSNorm Selu SeparableConv Sigmoid Silu SoftShrink Softmax
    Softplus Softsign SpaceToDepth Sparsemax Squareplus TanhShrink Threshold
"""
_CORE = "Cast SaturateCast Slice StopGradient Unstack"
_MATH = "Erf Erfc Erfinv ExtractSequences FFT FFT2 IRFFT Logsumexp RFFT Rsqrt STFT SegmentReduction TopK"
_IMAGE = "CropImages ExtractPatches PadImages RGBToGrayscale Resize"

_KERAS = "keras.layers"
#: Module, and the classes of it that a configuration may name.
PARTS: dict[str, frozenset[str]] = {
    _KERAS: frozenset(_LAYERS.split()),
    "keras.initializers": frozenset(_INITIALIZERS.split()),
    "keras.regularizers": frozenset({"L1", "L2", "L1L2", "OrthogonalRegularizer"}),
    "keras.constraints": frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"}),
    "keras": frozenset({"DTypePolicy", "Functional", "Model", "Sequential"}),
    "keras.models": frozenset({"Functional", "Model", "Sequential"}),
    "keras.src.models.functional": frozenset({"Functional"}),
    "keras.src.ops.numpy": frozenset(_NUMPY.split()),
    "keras.src.ops.nn": frozenset(_NN.split()),
    "keras.src.ops.core": frozenset(_CORE.split()),
    "keras.src.ops.math": frozenset(_MATH.split()),
    "keras.src.ops.image": frozenset(_IMAGE.split()),
}
#: Plain values that Keras writes as objects: a tensor's place in the graph, and an index.
VALUES = frozenset({"__keras_tensor__", "__slice__", "__ellipsis__"})
#: Names that an `activation` may have.
ACTIVATIONS = frozenset(
    """celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu
    linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign
    sparse_plus sparsemax squareplus swish tanh tanh_shrink threshold""".split()
)


def is_allowed(module: object, name: object) -> bool:
    """Say whether a configuration may name this class of this module."""
    return isinstance(module, str) and isinstance(name, str) and name in PARTS.get(module, ())
