namespace Microsoft.ML.VisionModels;

/// <summary>How a sweep decides what to try next. All but the grid begin with the initial values of every candidate.</summary>
public enum SweepSampler
{
    /// <summary>Tree-structured Parzen estimator (Bergstra et al., 2011) with Optuna's defaults: ten random trials, then where good ones are dense and bad ones are not.</summary>
    Tpe,

    /// <summary>Anywhere, with equal chance.</summary>
    Random,

    /// <summary>Every combination, of numbers <see cref="SweepOptions.GridSteps"/> values; the sweep ends when all are done.</summary>
    Grid,

    /// <summary>A round of random trials, then rounds in a box around the best that halves from round to round.</summary>
    Refine,
}
