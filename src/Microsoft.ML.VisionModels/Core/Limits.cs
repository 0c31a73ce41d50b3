namespace Microsoft.ML.VisionModels.Core;

/// <summary>
/// How much is read of what others wrote. Each limit lies far above what published models and data sets have, and is what a small or
/// hostile file can cost at most. docs/limits.md lists them for users.
/// </summary>
internal static class Limits
{
    /// <summary>Bytes of a text file, such as config.json or a list of labels, and of a text entry of a model file. The labels of ImageNet's 21,841 classes take two million.</summary>
    public const int TextBytes = 16 << 20;

    /// <summary>Bytes of a tokenizer's file or entry: tokenizer.json, vocab.json, merges.txt, a SentencePiece model, unpacked where it is packed.</summary>
    public const int VocabularyBytes = 64 << 20;

    /// <summary>Bytes of an image's annotations in an <see cref="AnnotationStore"/>.</summary>
    public const int AnnotationBytes = 64 << 20;

    /// <summary>Bytes of the table of contents of a safetensors file: the limit of the reference implementation.</summary>
    public const int SafetensorsHeaderBytes = 100_000_000;

    /// <summary>Tensors of a checkpoint, those of all its shards together.</summary>
    public const int Tensors = 100_000;

    /// <summary>Models within models in a model file. One is within another where segments get words.</summary>
    public const int NestedModels = 4;

    /// <summary>The largest number of a configuration: the largest vocabularies of today have a quarter of it.</summary>
    public const int HyperParameter = 1 << 20;

    /// <summary>The most entries of a configuration's list, such as the blocks of each stage.</summary>
    public const int HyperParameterList = 1024;

    /// <summary>The longest side of a network's images in pixels, of which each takes twelve bytes.</summary>
    public const int NetworkImageSide = 8192;

    /// <summary>The longest side of an attention window in tokens; a table of its pairs has the fourth power of it.</summary>
    public const int AttentionWindow = 64;

    /// <summary>How many times as large as its file a network may be built before the two are compared, name by name.</summary>
    public const int NetworkOfFile = 2;

    /// <summary>What a network may have beside that: small ones are compared whatever they say.</summary>
    public const int SmallNetworkTensors = 1000, SmallNetworkNumbers = 1 << 22;

    /// <summary>Bytes of an image's file. The most pixels that are read take 720 million without compression.</summary>
    public const int ImageFileBytes = 1 << 30;

    /// <summary>Pixels of an image, Pillow's limit: a small file can claim a size for which there is no memory.</summary>
    public const long ImagePixels = 178_956_970;

    /// <summary>Pixels of a mean image that is subtracted: in a preprocessor_config.json its numbers are to stay below <see cref="TextBytes"/>.</summary>
    public const int MeanImagePixels = 1_000_000;

    /// <summary>Megabytes of images that are being decoded and resized, of all threads together. One that takes more waits until it is alone. <c>VisionImage.MegabytesInFlight</c> changes it.</summary>
    public const int ImageMegabytesInFlight = 1024;

    /// <summary>Bytes of weights and of rows between the two passes of a resize. Long thin images would take many times their own size; they are resized in parts.</summary>
    public const int ResizeBytes = 128 << 20;
}
