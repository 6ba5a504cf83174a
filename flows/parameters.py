"""
Parameters with and without a default, and collections that hold tasks.

``orchd run -p flows/parameters.py --param 'numbers=[3, 1, 2]'``
"""

from orchd import Flow, Parameter, task


@task
def total(numbers: list[float]) -> float:
    """
    Add the numbers up.
    """
    return sum(numbers)


@task
def largest(numbers: list[float]) -> float:
    """
    Find the largest number.
    """
    return max(numbers)


@task(log_stdout=True)
def report(greeting: str, facts: dict[str, float]) -> str:
    """
    Print one line for each fact.
    """
    lines = [f"{greeting}: {name} is {value}" for name, value in facts.items()]
    print("\n".join(lines))
    return "\n".join(lines)


with Flow("parameters") as flow:
    numbers = Parameter("numbers")
    greeting = Parameter("greeting", default="hello")
    lines = report(greeting, {"total": total(numbers), "largest": largest(numbers)})

if __name__ == "__main__":
    flow.run(numbers=[1, 2, 3])
