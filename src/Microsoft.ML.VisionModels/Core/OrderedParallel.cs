using System.Runtime.ExceptionServices;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>A parallel loop that fails as a sequential one would: with the exception itself, the first in order of those that happened.</summary>
internal static class OrderedParallel
{
    public static void For(int count, Action<int> body)
    {
        if (count == 1)
        {
            body(0);
            return;
        }

        var errors = new Exception?[count];
        Parallel.For(0, count, (i, state) =>
        {
            try
            {
                body(i);
            }
            catch (Exception e)
            {
                errors[i] = e;
                state.Break(); // those before it still run
            }
        });
        if (Array.Find(errors, e => e is not null) is { } first)
            ExceptionDispatchInfo.Throw(first);
    }
}
