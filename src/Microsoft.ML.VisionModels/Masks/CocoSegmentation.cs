namespace Microsoft.ML.VisionModels;

/// <summary>How <see cref="CocoDataset"/> writes masks.</summary>
public enum CocoSegmentation
{
    /// <summary>Exact, as compressed text: the smallest, and what pycocotools reads.</summary>
    Compressed,

    /// <summary>Exact, as a list of the runs' lengths.</summary>
    Uncompressed,

    /// <summary>A polygon for each part, to a tolerance. Holes are linked to the line around the part, as COCO's polygons have none.</summary>
    Polygons,
}
