using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>A model bound to the columns of one input schema.</summary>
internal interface IBatchScorer
{
    /// <summary>The input's columns and, after them, the model's.</summary>
    DataViewSchema OutputSchema { get; }

    /// <summary>A lazy view that scores batches.</summary>
    IDataView View(IDataView input);

    /// <summary>A mapper that scores one row at a time, for PredictionEngine.</summary>
    IRowToRowMapper Mapper();
}
