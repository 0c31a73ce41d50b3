namespace Microsoft.ML.VisionModels;

/// <summary>What <see cref="SamEverythingTransformer.LabelFolder"/> can be told.</summary>
public sealed class SamLabelOptions
{
    /// <summary>Write "annotations.json", see <see cref="CocoDataset"/>. Default true.</summary>
    public bool Coco { get; set; } = true;

    /// <summary>How masks are written to "annotations.json". Default <see cref="CocoSegmentation.Compressed"/>.</summary>
    public CocoSegmentation CocoSegmentation { get; set; } = CocoSegmentation.Compressed;

    /// <summary>Write the folder "labels" and "data.yaml", see <see cref="YoloDataset"/>. Default true.</summary>
    public bool Yolo { get; set; } = true;

    /// <summary>What all segments are called where there is no classifier to tell them apart. Default "segment".</summary>
    public string Category { get; set; } = "segment";

    /// <summary>Leave out images that cannot be read. Default false: such an image is an <see cref="ImageDecodeException"/>, and those before it stay labeled.</summary>
    public bool SkipInvalidImages { get; set; }

    /// <summary>Is told of each image as it is done, also of those that were done before.</summary>
    public IProgress<SamLabelProgress>? Progress { get; set; }

    /// <summary>Stops the work. The images that are done stay done: with the same folders it goes on after them.</summary>
    public CancellationToken CancellationToken { get; set; }
}
