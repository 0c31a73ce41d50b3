namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>What the generator of segments is told.</summary>
internal sealed record SamGeneratorSettings
{
    public int PointsPerSide { get; init; } = 32;

    public int PointsPerBatch { get; init; } = 64;

    public double PredictedIouThreshold { get; init; } = 0.88;

    public double StabilityThreshold { get; init; } = 0.95;

    public float StabilityOffset { get; init; } = 1;

    public double BoxNmsThreshold { get; init; } = 0.7;

    public int CropLayers { get; init; }

    public double CropNmsThreshold { get; init; } = 0.7;

    public double CropOverlap { get; init; } = 512.0 / 1500;

    public int CropPointsDownscale { get; init; } = 1;

    public int MinRegionArea { get; init; }

    /// <exception cref="ArgumentException">A value cannot be used; the message names it.</exception>
    public void Validate()
    {
        TrainerOptions.Require(PointsPerSide, PointsPerSide >= 1, "at least 1");
        TrainerOptions.Require(PointsPerBatch, PointsPerBatch >= 1, "at least 1");
        TrainerOptions.Require(CropLayers, CropLayers is >= 0 and <= 6, "from 0 to 6");
        TrainerOptions.Require(CropPointsDownscale, CropPointsDownscale >= 1, "at least 1");
        TrainerOptions.Require(MinRegionArea, MinRegionArea >= 0, "at least 0");
        TrainerOptions.Require(StabilityOffset, StabilityOffset >= 0, "at least 0");
        TrainerOptions.Require(CropOverlap, CropOverlap is >= 0 and < 1, "at least 0 and below 1");
        TrainerOptions.Require(PredictedIouThreshold, PredictedIouThreshold is >= 0 and <= 1, "from 0 to 1");
        TrainerOptions.Require(StabilityThreshold, StabilityThreshold is >= 0 and <= 1, "from 0 to 1");
        TrainerOptions.Require(BoxNmsThreshold, BoxNmsThreshold is >= 0 and <= 1, "from 0 to 1");
        TrainerOptions.Require(CropNmsThreshold, CropNmsThreshold is >= 0 and <= 1, "from 0 to 1");
        _ = PointGrid.BuildLayers(PointsPerSide, CropLayers, CropPointsDownscale);
    }
}
