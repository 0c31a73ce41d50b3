namespace Microsoft.ML.VisionModels.Tests.Contract;

public class EmptyInputTests(FittedModels models)
{
    private readonly MLContext _context = new(seed: 1);

    [Theory, EveryEstimator]
    public void NoRowsGiveNoRows(string estimator)
    {
        Assert.Empty(ContractData.Scores(models[estimator], _context.Data.LoadFromEnumerable(new List<ContractData.Row>())));
        Assert.Empty(ContractData.Scores(models[estimator], _context.Data.FilterRowsByColumn(ContractData.Images(_context), "Number", upperBound: -1)));
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.Learns))]
    public void FittingOnNoRowsIsAClearError(string estimator)
    {
        var maker = EstimatorCase.Of(estimator).Create(_context, EstimatorCase.Of(estimator).Options());
        Assert.Contains("no rows", Assert.Throws<InvalidOperationException>(() => maker.Fit(_context.Data.LoadFromEnumerable(new List<ContractData.Row>()))).Message);
    }
}
