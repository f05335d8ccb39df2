"""The exception that set-up and files raise."""


class Error(RuntimeError):
    """Raised by set-up and by everything that touches files; never by ``select``, ``record`` or ``pin``.

    problem: what is wrong.
    where: a path, ``path:line``, a JSON pointer or the name of an operation; may be empty.
    remedy: what the reader can do about it; may be empty.
    code: what kind of trouble it is, for a program that reacts to it, such as ``"not_found"``: the names of the
    library's ``ErrorCode``, or empty where Python code raised the error without one.
    """

    def __init__(self, problem: str, where: str = "", remedy: str = "", code: str = "") -> None:
        text = f"{where}: {problem}" if where else problem
        super().__init__(f"{text}; {remedy}" if remedy else text)
        self.problem = problem
        self.where = where
        self.remedy = remedy
        self.code = code
