using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>Columns that are missing or of a wrong type are named.</summary>
public class ColumnTests(FittedModels models)
{
    private readonly MLContext _context = new(seed: 1);

    [Theory, EveryEstimator]
    public void AMissingColumnIsNamed(string estimator)
    {
        var data = ContractData.Images(_context);
        foreach (var (_, column) in InputsOf(estimator, data))
            AssertNamed(estimator, column, _context.Transforms.DropColumns(column).Fit(data).Transform(data));
    }

    [Theory, EveryEstimator]
    public void AWronglyTypedColumnIsNamed(string estimator)
    {
        var data = ContractData.Images(_context);
        foreach (var (_, column) in InputsOf(estimator, data))
        {
            AssertNamed(estimator, column, _context.Transforms.CopyColumns(column, "Number").Fit(data).Transform(data));
            AssertNamed(estimator, column, _context.Transforms.Concatenate(column, "Number", "Number").Fit(data).Transform(data));
        }
    }

    [Theory, EveryEstimator]
    public void AnotherColumnNameIsNamed(string estimator)
    {
        foreach (var (option, _) in InputsOf(estimator, ContractData.Images(_context)))
        {
            var maker = EstimatorCase.Of(estimator).Create(_context, EstimatorCase.Of(estimator).Options().Set(option, "elsewhere"));
            Assert.Contains("elsewhere", Assert.Throws<ArgumentException>(() => maker.Fit(ContractData.Images(_context))).Message);
        }
    }

    [Theory, EveryEstimator]
    public void ScoringNeedsNoLabels(string estimator)
    {
        var data = ContractData.Images(_context);
        var unlabeled = _context.Transforms.DropColumns("Label").Fit(data).Transform(data);
        ContractData.AssertSame(ContractData.Scores(models[estimator], data), ContractData.Scores(models[estimator], unlabeled));
    }

    /// <summary>The options that name columns of the data.</summary>
    private static IEnumerable<(string Option, string Column)> InputsOf(string estimator, IDataView data) => EstimatorCase.Of(estimator).Options().Columns
        .Where(entry => entry.Value is { } column && data.Schema.GetColumnOrNull(column) is not null).Select(entry => (entry.Key, entry.Value!));

    private void AssertNamed(string estimator, string column, IDataView data)
    {
        var maker = EstimatorCase.Of(estimator).Create(_context, EstimatorCase.Of(estimator).Options());
        Assert.Contains($"'{column}'", Assert.Throws<ArgumentException>(() => maker.Fit(data)).Message);
        Assert.Contains($"'{column}'", Assert.Throws<ArgumentException>(() => maker.GetOutputSchema(MLNet.ShapeOf(data.Schema))).Message);
        // What is learned from alone.
        if (column == "Label" || (column == "Image" && !EstimatorCase.Of(estimator).ReadsImages))
            return;
        Assert.Contains($"'{column}'", Assert.Throws<ArgumentException>(() => models[estimator].Transform(data)).Message);
        Assert.Contains($"'{column}'", Assert.Throws<ArgumentException>(() => models[estimator].GetOutputSchema(data.Schema)).Message);
        Assert.Contains($"'{column}'", Assert.Throws<ArgumentException>(() => models[estimator].GetRowToRowMapper(data.Schema)).Message);
    }
}
