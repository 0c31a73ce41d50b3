namespace Microsoft.ML.VisionModels;

/// <summary>What everything that segments images with SAM can be told.</summary>
public abstract class SamOptions : ImageScoringOptions
{
    /// <summary>Images, which are large here, are looked at one by one.</summary>
    protected SamOptions() => ScoringBatchSize = 1;

    internal override void Validate()
    {
        base.Validate();
        RequireCheckpoint();
    }
}
